"""The queue: Celery on Redis. Results are stored in MongoDB, so Celery keeps none."""

from celery import Celery

import settings

SCORE_TASK = 'score'

app = Celery('peer', broker=settings.REDIS_URL)
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    worker_disable_rate_limits=True,
    worker_prefetch_multiplier=16,
    worker_send_task_events=False,
)
