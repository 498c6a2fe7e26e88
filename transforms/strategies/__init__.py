"""The strategies that ship with the project, one file each."""
