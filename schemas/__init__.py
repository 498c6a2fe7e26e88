"""The contracts: messages, topics and Arrow schemas that every other layer shares."""
