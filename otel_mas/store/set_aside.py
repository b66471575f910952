"""Spans that a destination refused for good: they are set aside with its reason, and may be sent again."""

from __future__ import annotations

from otel_mas.otlp.framing import LogRow
from otel_mas.store.log import Log

_OF_DESTINATION = "destination = (SELECT id FROM destinations WHERE name = ?)"


class SetAside(Log):
    """The log's spans that destinations have refused. Cursors and leases stay; counts follow what is settled."""

    def keys(self, destination: str, trace: str = "") -> list[int]:
        """Keys in the log, in order.

        Args:
            trace: the beginning of the trace's id, in hex.
        """
        with self.transaction("DEFERRED") as connection:
            found = connection.execute(
                f"SELECT span FROM rejections WHERE {_OF_DESTINATION} AND trace_id LIKE ? ORDER BY span",
                (destination, f"{trace.lower()}%"),
            )
            return [key for (key,) in found.fetchall()]

    def row(self, key: int, content: int = 0) -> LogRow | None:
        """The span as `Log.read` has it; None where the store has it no more, or has a later version of it."""
        with self.transaction("DEFERRED") as connection:
            chunk = self.chunk(connection, "", key - 1, key, (1, 1, content))
        return chunk.rows[0] if chunk is not None and chunk.rows else None

    def accepted(self, destination: str, key: int) -> None:
        """Settle a span that the destination has taken after all; once, also where several processes send it again."""
        with self.transaction() as connection:
            settled = connection.execute(
                f"DELETE FROM rejections WHERE {_OF_DESTINATION} AND span = ?", (destination, key)
            ).rowcount
            connection.execute(
                "UPDATE destinations SET shipped = shipped + :settled, rejected = max(0, rejected - :settled), "
                "sent_ns = :now WHERE name = :name",
                {"settled": settled, "now": self._clock(), "name": destination},
            )

    def refused_again(self, destination: str, key: int, reason: str) -> None:
        """Keep the latest reason."""
        with self.transaction() as connection:
            connection.execute(
                f"UPDATE rejections SET reason = ?, rejected_ns = ? WHERE {_OF_DESTINATION} AND span = ?",
                (reason, self._clock(), destination, key),
            )


__all__ = ["SetAside"]
