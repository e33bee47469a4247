"""Write a callback of your own: here, every figure of every epoch to TensorBoard, or to whatever takes scalars."""

import deltarule as dr


class Scalars(dr.Callback):
    """Hands each figure of the history to writer.add_scalar(name, value, epoch)."""

    def __init__(self, writer):
        self.writer = writer

    def epoch_end(self, state):
        for name, value in state.history.rows[-1].items():
            self.writer.add_scalar(name, value, state.epoch)


class Lines:
    """A writer for those who have no TensorBoard: a line for each figure."""

    def add_scalar(self, name, value, epoch):
        print(f"epoch {epoch}  {name:<20} {value:.4g}")


try:
    from torch.utils.tensorboard import SummaryWriter  # or tensorboardX, or mlflow.log_metric, or wandb.log
except ImportError:
    SummaryWriter = Lines

digits = dr.load_data("digits")
images = digits.train.inputs.reshape(-1, 28, 28)
dr.fit(dr.Network((784, 16, 10)), images, digits.train.targets, epochs=2, callbacks=[Scalars(SummaryWriter())])
