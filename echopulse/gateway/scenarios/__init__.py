"""The packaged scenarios of the simulator."""
