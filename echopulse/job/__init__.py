"""The job on its cluster: configured from the settings, submitted, watched until it is settled, and audited."""
