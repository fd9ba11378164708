"""Settings of the service, from the environment."""

import os

MONGO_URI: str = os.environ['MONGO_URI']
DATABASE: str = os.environ['PEER_DATABASE']
REDIS_URL: str = os.environ['REDIS_URL']
TOKEN_SECRET: str = os.environ['PEER_SECRET']
MODEL_FILE: str = os.environ['PEER_MODEL']
