"""The connectors that ship: each file is one platform."""
