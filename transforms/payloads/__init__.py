"""Where each platform's payloads hold text, kind, ids and emotes: one declaration a platform, and what reads them."""
