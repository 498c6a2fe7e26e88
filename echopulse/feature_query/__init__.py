"""FeatureQuery: features by gRPC, as they are, as they were at an instant, and as they went on."""
