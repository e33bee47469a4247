"""scikit-learn's callbacks (`set_callbacks`), from its version 1.9 on; before, nobody listens."""

from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """What is not there yet: an estimator without callbacks."""

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Listeners", "with_callbacks"]


class Listeners:
    """The callbacks that are set on an estimator, told of one fit: its beginning, every epoch, its end.

    told: X, y and metadata, as scikit-learn hands them to callbacks.
    """

    def __init__(self, estimator: Any, max_epochs: int, **told: Any) -> None:
        self.estimator, self.told, self.epochs_left = estimator, told, 0
        self.fit: Any = None
        self.epoch: Any = None
        if hasattr(estimator, "_init_callback_context"):
            self.fit = estimator._init_callback_context(max_subtasks=max_epochs)
            self.fit.call_on_fit_task_begin(estimator=estimator, **told)
            self.epochs_left = max_epochs if hasattr(estimator, "_skl_callbacks") else 0
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        if self.epochs_left > 0:
            self.epochs_left -= 1
            self.epoch = self.fit.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.told)

    def end_epoch(self, is_last: bool) -> bool:
        """After an epoch; whether a callback wants the fit to end."""
        if self.epoch is None:
            return False
        context, self.epoch = self.epoch, None
        wants_end = bool(self._end(context))
        if not (is_last or wants_end):
            self._begin_epoch()
        return wants_end

    def end(self) -> None:
        """After the fit, whatever ended it."""
        if self.epoch is not None:
            self._end(self.epoch)
        if self.fit is not None:
            self._end(self.fit)

    def _end(self, context: Any) -> Any:
        now = self.estimator._as_fitted
        return context.call_on_fit_task_end(estimator=self.estimator, reconstruction_attributes=now, **self.told)
