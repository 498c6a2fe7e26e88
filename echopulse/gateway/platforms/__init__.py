"""What connectors of platforms are made of: payloads read as fields, and client libraries kept to our rules."""
