"""The Feast repository: entities, sources, views and services, declared once; `machinery` turns them into a job."""
