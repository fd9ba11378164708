"""The database of the service: one pool of connections for each process."""

from functools import cache

from pymongo import MongoClient
from pymongo.database import Database

import settings


@cache
def database() -> Database:
    """Connects on the first call. Call it after the fork: a pool must not be shared by processes."""
    return MongoClient(settings.MONGO_URI)[settings.DATABASE]
