"""Where the warehouse is; apart from `heartline.wiring`, since its library takes a while to import."""

import os

from heartline.addresses import S3Address
from heartline.settings import Settings
from stores.warehouse import Warehouse

FOLDER, TABLE = "warehouse", "heartbeats"
S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")


def open_warehouse(settings: Settings, *, make: bool = False) -> Warehouse:
    """Open the warehouse, in the data directory or on S3 with the keys of the environment.

    Raises
    ------
    Unavailable
        It is not there, and not to be made, or its store does not answer.
    """
    address = S3Address.parse(settings.objects)
    if address is None:
        return Warehouse.open(str(settings.data / FOLDER / TABLE), make=make)
    options = {name: os.environ[name] for name in S3_KEYS if os.environ.get(name)}
    if address.region:
        options["AWS_REGION"] = address.region
    if address.endpoint:
        options |= {"AWS_ENDPOINT_URL": address.endpoint, "AWS_ALLOW_HTTP": "true"}
    # Of two that write the same version of the table the second is refused.
    options["conditional_put"] = "etag"
    return Warehouse.open(address.place(TABLE), options, make=make)
