from __future__ import annotations

import signal

from hypothesis import settings

# Time is a benchmark's business: a slow first call must not fail a property.
settings.register_profile("echopulse", deadline=None, print_blob=True)
settings.load_profile("echopulse")

# A shell that runs the tests in the background, or nohup, has these ignored, which children inherit; tests send them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
