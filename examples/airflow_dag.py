"""A replay each night, as an Airflow DAG of one task: the cluster does the rest.

One task, not one a file: the program knows which files are done, shares out the others, and
tries again what is worth it. An exit code of 75 means "later", which Airflow's retries are for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow import DAG
from airflow.operators.bash import BashOperator

with DAG(
    "convertro",
    schedule="15 3 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=20)},
):
    BashOperator(
        task_id="replay",
        bash_command=(
            "convertro replay s3://acme-exports/segment-logs/ --since 7d "
            "--scheduler tcp://dask-scheduler:8786 --config /etc/convertro/convertro.toml "
            "--state /tmp/convertro --log-format json"
        ),
        env={
            "CONVERTRO_LEDGER": "postgresql://convertro@db.example.com/convertro",
            "PGPASSFILE": "/etc/convertro/pgpass",
        },
        append_env=True,
    )
