"""Alive, and something to serve: BentoML's probes, where BentoML does not answer."""

from fastapi import APIRouter

from serving.http.platforms import Pong, ping

routes = APIRouter(include_in_schema=False)


@routes.get("/healthz")
@routes.get("/livez")
async def alive() -> Pong:
    """Say that this process answers."""
    return Pong()


routes.get("/readyz")(ping)
