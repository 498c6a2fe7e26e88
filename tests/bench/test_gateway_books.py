"""What was sent against what was found."""

from __future__ import annotations

from bench.gateway_books import Books, balance


def test_all_in_order_is_balanced() -> None:
    """Channels may interleave; other feeds are no concern."""
    books = balance(["chat-1", "chat-0", "news-7", "chat-2", "chat-3"], "chat", range(4), 2)
    assert books == Books(missing=0, repeated=0, disordered=0)
    assert books.balanced


def test_repeats_are_counted_and_have_no_order() -> None:
    """The job drops them by id."""
    books = balance(["chat-0", "chat-2", "chat-4", "chat-0", "chat-2", "chat-6"], "chat", range(0, 8, 2), 2)
    assert books == Books(missing=0, repeated=2, disordered=0)


def test_losses_and_disorder_are_found() -> None:
    """A message behind a later one of its channel; one of another channel is not."""
    books = balance(["chat-0", "chat-4", "chat-2", "chat-1"], "chat", range(6), 2)
    assert books == Books(missing=2, repeated=0, disordered=1)
    assert not books.balanced
