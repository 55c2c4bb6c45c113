"""What happened, for Prometheus."""

from fastapi import APIRouter, Response

from serving.http.asked import Here

routes = APIRouter()


@routes.get("/metrics", response_class=Response)
async def metrics(here: Here) -> Response:
    """Tell Prometheus what happened."""
    return Response(here.runtime.metrics(), media_type=here.runtime.metrics_type)
