"""Root causes: the spans that most probably made a run fail, answer wrongly or be late, ranked with reasons.

- `acts`: what each task and call read and wrote
- `values`, `answer`: values in texts, their first writers, and what the answer leads back to
- `complained`, `errors`, `calls`, `outputs`, `arrivals`, `statements`, `lateness`: rules, each of which gives evidence
  against acts
- `ranking`: evidence → ranking

No model is asked. Each rule says what it looks at, and its reason is given with the span.
"""

from otel_mas.analyse.complaints import Complaint, ComplaintLabel
from otel_mas.analyse.root_cause.ranking import RootCause, root_cause

__all__ = ["Complaint", "ComplaintLabel", "RootCause", "root_cause"]
