"""The packaged mappings of public streams to SocialEvents."""
