"""The path of a request: text to language to model to tokens to scores."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from models.errors import EngineFailed, ModelUnavailable
from models.identity import Tag
from models.labels import Scores
from serving.admission import admitted, given
from serving.call import Call
from serving.detect import Detector
from serving.result import Prediction, Question
from serving.router import Router
from serving.telemetry import Telemetry

Row = list[int]
"""The token ids of one text, cut to what its model takes."""

Encode = Callable[[Tag, str, Call], Awaitable[Row]]
Score = Callable[[Tag, Row, Call], Awaitable[Scores]]
Copy = Callable[[Tag, str, Scores], None]


@dataclass(frozen=True, slots=True)
class Path:
    """The stations of a request, in the order in which it passes them."""

    max_text_chars: int
    detect: Detector
    router: Router
    encode: Encode
    score: Score
    copy: Copy
    telemetry: Telemetry

    async def answer(self, question: Question, call: Call, *routed: str | None) -> Prediction:
        """Answer one text; `routed` is what path and header say of its language.

        Where the model that was chosen can't answer, the champion does, if that is another one:
        a challenger that can't be opened, or a version that was replaced meanwhile. Raises a
        PolysentError, whose `status` says whose fault it is.
        """
        with self.telemetry.answer(call) as event:
            text = admitted(question.text, self.max_text_chars)
            with call.stage("detect"):
                language = self.detect(text, given(question.language, *routed))
            event.tag = self.router.choose(language.tag, call.key or text, call.version)
            while True:
                try:
                    row = await self.encode(event.tag, text, call)
                    scores = await self.score(event.tag, row, call)
                    break
                except (ModelUnavailable, EngineFailed):
                    champion = self.router.choose(language.tag, version=call.version)
                    if champion == event.tag:
                        raise
                    event.tag = champion
            self.copy(event.tag, text, scores)
            return Prediction.of(scores, language, event.tag)
