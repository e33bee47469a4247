"""Findings: what can be wrong, in words, and the diagnosis that they make, with evidence in numbers and what to do."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from deltarule.inspection.presentation import entry
from deltarule.public import public

Level = Literal["note", "warning", "fault"]
LEVELS: tuple[Level, ...] = ("fault", "warning", "note")

# What a finding says, and what to do about it, by its id; behind a colon, which of several ways to say it. What stands
# in braces is filled in from the evidence, or given beside it.
TEXTS = {
    # data
    "inputs-all-alike": ("Every example has the same inputs.",
        "look at how the inputs are read: a column, an index or a file is probably taken again and again"),
    "inputs-not-scaled": ("The inputs are not scaled.",
        "{cure}: weights and learning rates are made for inputs of a size of about 1"),
    "inputs-too-small": ("The inputs are almost 0 throughout.",
        "scale the inputs to a size of about 1; pixels may have been divided by 255 twice"),
    "blank-examples": ("Many images are blank.", "look for images that were not read, and take them out"),
    "constant-target": ("The target is the same in every example: {names}.",
        "look at how the targets are read, or leave out the column"),
    "targets-not-scaled": ("The targets are not scaled.",
        "standardize the targets (mean 0, deviation 1) and undo it in the predictions"),
    "one-class": ("All examples are of one class.",
        "look at how labels are read: data sorted by class may have been cut, or one column read for another"),
    "classes-missing": ("There are classes without a single example: {names}.",
        "add examples, or leave out the outputs; shuffle data that are sorted by class before cutting them"),
    "shares-far-apart": ("Some classes have many times the examples of others.",
        "weight the samples (sample_weight) or add examples of the rare; judge by recall, not by accuracy"),
    "labels-shuffled": (
        "The targets have nothing to do with the inputs: examples that look alike have them as if by lot.",
        "look at a few examples with their targets: were they shuffled, sorted or cut apart from each other"),
    "validation-in-training": (
        "There are validation {examples} that are in the training set, too: the score is better than the network.",
        "split before anything else, and take the copies out of one of the parts"),
    # a network as it is
    "parameters-not-finite": ("The network is broken: it holds parameters that are no finite numbers.",
        "start again from new weights, with a smaller learning rate"),
    "weights-all-equal": ("All neurons of layer {layer} have the same weights, and so will stay the same for ever.",
        "draw the weights at random (he_normal, glorot_uniform); zeros are for biases"),
    "weights-too-large": (
        "The weights of layer {layer} are too large for their fan-in: sums over {fan-in} inputs overshoot.",
        "start from lecun_normal, glorot_uniform or, for ReLU, he_normal"),
    "weights-too-small": ("The weights of layer {layer} are too small for their fan-in: what passes through fades.",
        "start from lecun_normal, glorot_uniform or, for ReLU, he_normal"),
    "starts-too-sure": ("Before its first step the network is sure of wrong answers.",
        "start from smaller weights, and scale the inputs: a fresh network should give every class its share"),
    "targets-out-of-reach": ("There are targets that the outputs cannot reach: {output} ends before them.",
        "end a regression in Identity, or bring the targets into this range"),
    "saturated-units": (
        "The {activation} units of layer {layer} are saturated: at their flat ends they pass no gradient back.",
        "bring |z| down to about 1: scale the inputs, and start from lecun_normal or glorot_uniform"),
    "dead-relus": (
        "ReLUs of layer {layer} are dead: they answer 0 to every example, and no gradient reaches them.",
        "lower the learning rate, start biases at 0 and weights from he_normal, or use LeakyReLU"),
    "vanishing-gradient": ("The gradient vanishes on its way back: the first layers hardly learn.",
        "use ReLU with he_normal, or fewer layers; sigmoids let at most a quarter through, each layer anew"),
    "exploding-gradient": ("The gradient explodes on its way back: the first layers are thrown about.",
        "start from smaller weights (he_normal, glorot_uniform), or clip the gradient (clip=1.0)"),
    # its first steps
    "diverged: first steps": ("The loss blows up within the first steps.",
        "mend the other faults first; then try a learning rate 10 times smaller"),
    "steps-too-large": (
        "The first steps are very large: most change a layer's weights by over a tenth (usual is 0.001).",
        "try a learning rate 10 times smaller, or one that warms up, where the loss jumps or units die"),
    "steps-too-small": (
        "The steps are very small beside the weights: less than 0.00001 of them (usual is 0.001).",
        "try a learning rate 10 to 100 times larger, or smaller starting weights"),
    "learning-rate-too-high: first steps": ("The learning rate is too high: smaller steps get much further.",
        "try a learning rate of about {better:.1g}"),
    "learning-rate-too-low: first steps": ("The learning rate is too low: larger steps get much further.",
        "try a learning rate of about {better:.1g}"),
    "learning-rate-too-low: a little": ("The learning rate is on the low side: larger steps get further at first.",
        "try a learning rate of about {better:.1g}, or be patient"),
    "stuck-at-chance": (
        "The loss is stuck at chance (ln K for K equal classes): one answer for all examples costs no more.",
        "mend the other findings first; where there are none, more steps, or other starting weights"),
    "cannot-overfit-one-batch": ("The network cannot even learn one small batch by heart.",
        "look for equal examples with different labels, saturated or dead units, or a wrong gradient (gradcheck)"),
    # a run
    "diverged": ("The loss blew up: the learning rate is too high.",
        "try a learning rate 10 times smaller, and look at the scale of the inputs"),
    "learning-rate-too-high": ("The loss jumps up and down from epoch to epoch: the learning rate is too high.",
        "try a learning rate 3 to 10 times smaller, or a schedule that lowers it"),
    "learning-rate-too-low": (
        "The loss was still falling fast when the run ended: the learning rate is low, or the run too short.",
        "try a learning rate 3 to 10 times larger, or more epochs"),
    "learning-rate-too-low: creeps": ("The loss falls steadily, and hardly at all: the learning rate is far too low.",
        "try a learning rate 10 to 100 times larger"),
    "stuck-at-chance: run": (
        "The run has learned nothing: its loss has not fallen to below that of knowing nothing.",
        "diagnose the recipe: its first steps tell a wrong learning rate from wrong data or weights"),
    "overfitting": (
        "The network overfits: since epoch {epoch} it gets better on what it knows and worse on what is new.",
        "stop there (patience), or use more data, deformed images, dropout, L2, or a smaller network"),
    "overfitting: scores": (
        "The network overfits: it is much better on the examples that it knows than on new ones.",
        "use more data, deformed images, dropout, L2, or a smaller network"),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or worth knowing.

    level: "fault", it keeps the network from learning; "warning", it may cost something; "note", it explains something.
    id: a name for programs. says: what is wrong. evidence: what was measured, by name. mend: what to do.
    """

    level: Level
    id: str
    says: str
    evidence: Mapping[str, float]
    mend: str

    @classmethod
    def of(cls, level: Level, name: str, evidence: Mapping[str, float], **words: Any) -> "Finding":
        """The finding that TEXTS has under that name."""
        says, mend = (text.format_map({**evidence, **words}) for text in TEXTS[name])
        return cls(level, name.partition(":")[0], says, evidence, mend)

    @property
    def numbers(self) -> str:
        """The evidence for people: "largest input 255, typical size 33.3"."""
        return ", ".join(f"{name} {number:.4g}" for name, number in self.evidence.items())


@public()
@dataclass(frozen=True)
class Diagnosis:
    """All findings, faults first. An empty one means that nothing was found, and is false."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Diagnosis":
        """These findings in the order of their levels."""
        return cls(tuple(sorted(findings, key=lambda each: LEVELS.index(each.level))))

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What keeps the network from learning."""
        return tuple(each for each in self.findings if each.level == "fault")

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def to_json_list(self) -> list[dict[str, Any]]:
        """The findings as dicts."""
        return [asdict(each) for each in self.findings]

    def to_text(self, width: int = 80) -> str:
        """The findings in lines of at most `width` characters."""
        lines = []
        for each in self.findings:
            sentences = ((each.level, each.says), ("", f"Measured: {each.numbers}."), ("", f"Mend: {each.mend}."))
            lines += [entry(title, text, width) for title, text in sentences]
        return "\n".join(lines) or "Nothing wrong was found."

    def __str__(self) -> str:
        return self.to_text()
