"""The worker. Celery loads this module once, before it forks its processes: they share the model's memory."""

from datetime import datetime, timezone

from bson import ObjectId

import settings
from broker import SCORE_TASK, app
from model import RiskModel
from store import database

model = RiskModel(settings.MODEL_FILE)


@app.task(name=SCORE_TASK)
def score(job: str, patient: str) -> None:
    """Scores a patient, stores the prediction, and then ends the job."""
    try:
        found = database().patients.find_one({'_id': ObjectId(patient)})
        prediction = model.predict(found)
        database().predictions.insert_one(prediction)
        outcome = {'state': 'COMPLETED', 'prediction': prediction['_id']}
    except Exception:
        outcome = {'state': 'FAILED'}
    outcome['finishedAt'] = datetime.now(timezone.utc)
    database().jobs.update_one({'_id': ObjectId(job)}, {'$set': outcome})
