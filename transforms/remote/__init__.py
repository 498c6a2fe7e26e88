"""Strategies that ask a service: a bounded HTTP client, its circuit breaker, and what they fall back on."""
