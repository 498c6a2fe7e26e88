from __future__ import annotations

from hypothesis import settings

# Time is a benchmark's business: a slow first call must not fail a property.
settings.register_profile("echopulse", deadline=None, print_blob=True)
settings.load_profile("echopulse")
