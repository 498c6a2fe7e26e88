"""Airflow DAGs: every task calls the `echopulse` command."""
