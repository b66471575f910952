"""The researcher's sources: the archive and the figures of a town that does not exist."""

from __future__ import annotations

import re
import time

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool

ARTICLES = {
    "council minutes": (
        "The council closed Elmstead's tram line in 1962 and kept the track bed as a footpath",
        "A motion to reopen the tram line failed by two votes; members asked for a plan for the bridge",
    ),
    "local paper": (
        "Shopkeepers along the old tram line collected 2,140 signatures for reopening it",
        "Residents of Mill Lane fear noise at night and the loss of the footpath",
    ),
    "engineer's report": (
        "The tram bridge over the Elm needs a new deck before anything heavier than a bicycle may cross",
        "The old depot still stands, and would hold four trams",
    ),
    "bus company letter": (
        "The bus company would give up line 7 if the tram came back, and keep its drivers as tram drivers",
    ),
    "school newsletter": ("The school asks for a crossing wherever a tram would pass its gate",),
}

FIGURES = {
    "tram line": ("length 4.2 km", "travel time 11 minutes, 19 by bus", "cost to rebuild 38 million"),
    "bridge": ("new deck 6.5 million", "building time 14 months"),
    "passengers": ("2,900 a day on bus line 7", "5,100 a day expected on a tram"),
    "swimming pool": ("visitors 310 a day",),
}

# Latencies of the archive and of the register of figures.
ARCHIVE_SECONDS = 0.7
REGISTER_SECONDS = 0.3


class Archive(BaseRetriever):
    """Finds the articles that share the most words with a query."""

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        time.sleep(ARCHIVE_SECONDS)
        query_words = _words(query)
        scores = {name: len(query_words & _words(" ".join(lines))) for name, lines in ARTICLES.items()}
        best = sorted((name for name, score in scores.items() if score), key=lambda name: (-scores[name], name))
        return [Document("\n".join(ARTICLES[name]), id=name) for name in best[:4]]


@tool
def search_archive(query: str) -> str:
    """Search the town's archive of minutes, letters and newspapers."""
    found = Archive().invoke(query)
    lines = [f"- {line} ({article.id})." for article in found for line in article.page_content.split("\n")]
    return "\n".join(lines) or "The archive has nothing on this."


@tool
def look_up_figures(subject: str) -> str:
    """Look up the town's figures on a subject: lengths, times, costs, numbers of people."""
    time.sleep(REGISTER_SECONDS)
    subject_words = _words(subject)
    lines = [
        f"- {topic.capitalize()}: {figure}."
        for topic, figures in FIGURES.items()
        for figure in figures
        if subject_words & _words(f"{topic} {figure}")
    ]
    return "\n".join(lines) or "The register has no figures on this."


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3}
