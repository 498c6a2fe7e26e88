"""What a webhook's sender signs: the time and the body, with a key that both know."""

from __future__ import annotations

import hashlib
import hmac

#: How far the sender's clock may be off, and how long a caught request could be sent again, in seconds.
WINDOW_S = 300.0
TIME_HEADER, SIGNATURE_HEADER = "X-EchoPulse-Timestamp", "X-EchoPulse-Signature"


def signature(key: bytes, stamp: str, body: bytes) -> str:
    """Return `v1=` and the HMAC-SHA256 (RFC 2104), in hex, of `stamp` (s since 1970), a full stop and the body."""
    return "v1=" + hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def refusal(key: bytes, stamp: str, given: str, body: bytes, now_s: float) -> str:
    """Return why a request is not the sender's, or is too old; '' where it is good."""
    # The signature first: who does not know the key learns nothing of the clock.
    if not hmac.compare_digest(signature(key, stamp, body).encode(), given.encode()):
        return f"{SIGNATURE_HEADER} does not fit {TIME_HEADER} and the body"
    if not stamp.isdigit() or abs(now_s - int(stamp)) > WINDOW_S:
        return f"{TIME_HEADER} is more than {WINDOW_S:.0f} s from this server's clock"
    return ""
