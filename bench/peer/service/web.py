"""The web service: patients, predictions and scoring jobs as JSON."""

import time
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import jwt
import orjson
from bson import ObjectId
from flask import Flask, Response, abort, request

import settings
from broker import SCORE_TASK
from broker import app as queue
from store import database

app = Flask(__name__, static_folder=None)


@lru_cache(maxsize=10_000)
def expiry(token: str) -> float:
    """Verifies a token. A second request with the same token finds the answer here."""
    return jwt.decode(token, settings.TOKEN_SECRET, algorithms=['HS256'])['exp']


@app.before_request
def check_token() -> None:
    """Refuses a request without a valid token."""
    try:
        if expiry(request.headers.get('Authorization', '').removeprefix('Bearer ')) < time.time():
            abort(401)
    except jwt.InvalidTokenError:
        abort(401)


@app.get('/patients')
def patients() -> Response:
    """Returns the newest patients."""
    first = min(int(request.args.get('first', 20)), 500)
    rows = database().patients.find().sort('_id', -1).limit(first)
    return answer([named(row) for row in rows])


@app.get('/patients/<key>')
def patient(key: str) -> Response:
    return answer_one(database().patients.find_one({'_id': ObjectId(key)}))


@app.get('/predictions/<key>')
def prediction(key: str) -> Response:
    return answer_one(database().predictions.find_one({'_id': ObjectId(key)}))


@app.post('/jobs')
def submit() -> Response:
    """Queues a job for a patient that exists."""
    wanted = ObjectId(orjson.loads(request.get_data())['patientId'])
    if database().patients.find_one({'_id': wanted}, {'_id': 1}) is None:
        abort(404)
    job = {'patient': wanted, 'state': 'QUEUED', 'submittedAt': datetime.now(timezone.utc)}
    key = str(database().jobs.insert_one(job).inserted_id)
    queue.send_task(SCORE_TASK, (key, str(wanted)), ignore_result=True)
    return answer(named(job))


@app.get('/jobs/<key>')
def job(key: str) -> Response:
    """Returns the job, with its prediction once it has one."""
    found = database().jobs.find_one({'_id': ObjectId(key)})
    if found is None:
        abort(404)
    if found['state'] == 'COMPLETED':
        found['prediction'] = named(database().predictions.find_one({'_id': found['prediction']}))
    return answer(named(found))


def answer_one(row: dict[str, Any] | None) -> Response:
    if row is None:
        abort(404)
    return answer(named(row))


def named(row: dict[str, Any]) -> dict[str, Any]:
    """Renames the key of a row as callers know it."""
    row['id'] = row.pop('_id')
    return row


def answer(body: object) -> Response:
    return Response(orjson.dumps(body, default=str), mimetype='application/json')
