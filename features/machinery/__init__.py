"""From declarations to running features: the compiler, the online store and its writer."""
