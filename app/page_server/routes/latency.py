"""The delay from microphone to loudspeaker, measured: ``/api/latency``."""

from __future__ import annotations

from voicegraph.app.http.documented_errors import BODY
from voicegraph.schemas.app import MeasuredLatency, MeasureLatency

from ._api import CurrentServices, api_router, errors

routes = api_router()


@routes.get("/latency", responses=errors())
async def get_latency(services: CurrentServices) -> MeasuredLatency | None:
    """The newest measurement of this server; null if there is none."""
    return services.latency.newest


@routes.post("/latency", responses=errors(404, 409, 503, *BODY))
async def measure_latency(asked: MeasureLatency, services: CurrentServices) -> MeasuredLatency:
    """Plays a test signal, and measures when it comes back; a session pauses for it.

    The loudspeaker must reach the microphone, by a cable or through the air. Takes half a minute.
    """
    return await services.latency.measure(asked)
