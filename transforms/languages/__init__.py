"""The table that languages are told by, and the script that derives it."""
