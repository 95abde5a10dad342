"""Piccolo's configuration: the database engine and the one app."""

from piccolo.conf.apps import AppRegistry

from exchange.database import make_engine
from exchange.settings import settings

DB = make_engine(settings().database_url, settings().database_replica_urls)
APP_REGISTRY = AppRegistry(apps=["exchange.piccolo_app"])
