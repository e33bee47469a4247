// A lesson: a recipe carried out by the real Trainer in Python, or a run of the engine in this page, watched while it learns.

import { BLANK } from "../shared/store.js";
import { announce, button, element, inNextFrame, isCalm, percent, repaintOn, shown } from "../shared/widgets.js";
import { Chart } from "./curves.js";
import { LayerTable, WeightPictures } from "./layers.js";

const PART = 12; // at least so many times as long as a frame takes from its arrival until it is painted is left to others
const FAST = 40; // the same for a fast run: painting continues in other threads
const CALM = 1000; // milliseconds between two frames with reduced motion
const TALK = 10_000; // milliseconds between two sentences for a screen reader

/** The name of a score, how to write one down, and the largest there can be. */
const SCORES = { accuracy: ["Accuracy", percent, 1], r2: ["R²", shown] };

/** The fields with which a run of Python's is chosen. */
export class Choice {
    constructor({ recipes, datasets, limits }) {
        Object.assign(this, { recipes, datasets, node: document.getElementById("recipes").content.firstElementChild.cloneNode(true) });
        ["recipe", "data", "rate", "epochs", "fast"].forEach((name) => (this[name] = this.node.querySelector(`[name=${name}]`)));
        [[this.recipe, recipes], [this.data, datasets]].forEach(([select, items]) => select.append(...items.map(({ name }) => element("option", {}, name))));
        Object.entries(limits).forEach(([name, [min, max]]) => Object.assign(this[name], { min, max }));
        this.recipe.addEventListener("change", () => this.taken());
        this.data.closest(".field").hidden = datasets.length === 1;
        this.recipe.value = recipes.some(({ name }) => name === "quick") ? "quick" : recipes[0].name;
        this.taken();
    }

    /** Fills in what the chosen recipe says. */
    taken() {
        const { says, data, rate, epochs } = this.recipes.find(({ name }) => name === this.recipe.value);
        this.node.querySelector(".says").textContent = says;
        this.data.value = this.datasets.some(({ name }) => name === data) ? data : "digits";
        this.rate.value = rate === null ? "" : String(rate);
        this.epochs.value = String(epochs);
    }

    /** Whether the fields hold numbers that a run can have; the browser says what is wrong with one that does not. */
    get isPossible() {
        return [this.rate, this.epochs].every((field) => field.reportValidity());
    }

    options() {
        const number = (input) => (input.value === "" ? null : Number(input.value));
        return { recipe: this.recipe.value, data: this.data.value, rate: number(this.rate), epochs: number(this.epochs) };
    }

    set disabled(value) {
        this.node.querySelectorAll("select, input").forEach((control) => (control.disabled = value));
    }
}

/** What the tab shows of a run. */
class View {
    constructor() {
        this.loss = new Chart("Loss", shown);
        this.score = new Chart(...SCORES.accuracy);
        this.weights = new WeightPictures();
        this.layers = new LayerTable();
        this.probe = element("p", { class: "small muted" });
        this.node = element("div", { class: "watch", hidden: true },
            element("div", { class: "curves" }, this.loss.node, this.score.node), this.probe,
            element("div", { class: "inside" },
                this.weights.node,
                element("section", {}, element("h2", {}, "Layer by layer"), this.layers.node)));
    }

    /** before: the run before, whose curve is shown beside this one's, and how it differed; null: none. */
    paint(frame, before = null) {
        this.node.hidden = false;
        if (frame.score !== this.kind) {
            const chart = new Chart(...SCORES[frame.score]);
            this.score.node.replaceWith(chart.node);
            Object.assign(this, { score: chart, kind: frame.score });
        }
        [this.loss, this.score].forEach((chart, which) => {
            const others = before ? seriesOf(before.frame, which).slice(-1).map((each) => ({ ...each, name: "before", tone: "--muted", dash: [2, 3], marks: [] })) : [];
            chart.paint([...seriesOf(frame, which), ...others], Math.max(frame.steps, before?.frame.steps ?? 0));
        });
        if (frame.network) {
            this.weights.paint(frame.network);
        }
        this.layers.paint(frame.layers);
        const [learned, held] = frame.probe;
        const few = held === undefined ? `${learned} training examples` : `${learned} training and ${held} held-out examples`;
        const rings = frame.arrays.epochs.shape[1] < 5 ? "" : "; rings: all held-out examples after it";
        const gray = before ? ` Gray: the previous run, ${before.says}.` : "";
        this.probe.textContent = `Lines: the same ${few} each time. Dots: the mean over an epoch's batches during training${rings}.${gray}`;
    }
}

/** Training and held-out curve of the loss (`which` 0) or the score (1). */
function seriesOf({ arrays: { points, epochs } }, which) {
    const column = ({ data, shape: [rows, width] }, index) =>
        (index < width ? Array.from({ length: rows }, (_, row) => [data[row * width], data[row * width + index]]) : []);
    return [["training", "--positive", [], 1 + which], ["held out", "--negative", [6, 4], 3 + which]]
        .map(([name, tone, dash, index]) => ({ name, tone, dash, line: column(points, index), marks: column(epochs, index) }))
        .filter(({ line }) => line.length > 0);
}

/** Where a run stands, in a sentence. */
export function whereItStands({ epoch, epochs, step, steps, seconds, batch_loss: loss, rate, paused }) {
    const number = (count) => count.toLocaleString("en");
    const now = epoch === 0 ? "before the first step" : `epoch ${epoch} of ${number(epochs)}, step ${number(step)} of ${number(steps)}`;
    const measured = epoch === 0 ? "" : ` · batch loss ${loss === null ? "not finite" : shown(loss)} · rate ${shown(rate)}`;
    return `${paused ? "Paused, " : ""}${now}${measured} · ${seconds.toFixed(1)} s`;
}

/** How a run ended, in a sentence. */
export function howItEnded({ reason, failed, verdict, part, examples, accuracy, r2 }) {
    const measure = accuracy === undefined ? `R² ${shown(r2 ?? NaN)}` : percent(accuracy);
    const seen = part === "test" ? `on ${examples.toLocaleString("en")} test examples` : "on its training examples";
    const why = failed ? `Failed: ${reason}. ` : reason ? `Ended early: ${reason}. ` : "";
    return `${why}${why ? "" : "Done. "}The trained network scores ${measure} ${seen}.${verdict ? ` ${verdict}` : ""}`;
}

/** What is to be trained, and how it goes: `node` shows it in the panel of the tab. */
export class Lesson {
    /** @param {Choice} choice of what is to be trained */
    constructor(panel, store, server, choice, ...buttons) {
        Object.assign(this, { panel, store, server, choice, run: null, frame: null, before: null, asked: true, lastTold: 0 });
        this.view = new View();
        this.status = element("p", { class: "status" }, `Start a run, or take it step by step, a batch at a time: ${server.isLocal ?
            "this page" : "Python"} trains a new network, and every tab shows it.`);
        this.verdict = element("p", { class: "verdict", role: "alert" });
        this.begin = button("Start", () => this.startOrResume(), { class: "primary" });
        this.pause = button("Pause", () => this.run.order("pause"));
        this.step = button("Step", () => (this.run ? this.run.order("step") : this.start(1)));
        this.stop = button("Stop", () => this.run.stop());
        this.back = button("Back to the previous network", () => this.giveBack(), { hidden: true, class: "quiet" });
        const run = [element("div", { class: "row" }, this.begin, this.pause, this.step, this.stop, ...buttons, this.back), this.status, this.verdict];
        const more = this.choice.node.querySelector("details"); // what few need is below
        more ? more.before(...run) : this.choice.node.append(...run);
        this.node = element("div", { class: "lesson" }, this.choice.node, this.view.node);
        this.repaint = repaintOn(store, panel, ["tab"], () => this.paint());
        this.askNext = inNextFrame(() => this.askForMore());
        store.on(["tab"], this.askNext);
        store.on(["network"], () => this.verdict.classList.toggle("past", Boolean(store.network.was))); // for somebody has changed it since
        window.addEventListener("beforeunload", (event) => this.run && this.frame?.step !== 0 && event.preventDefault()); // lets the browser ask
        this.show();
    }

    startOrResume() {
        if (!this.run) {
            return this.start();
        }
        this.run.order("resume");
        this.run.order("more");
        this.resumed = true;
        return this.show();
    }

    /** Begins a run, which takes so many steps and then waits, or goes on to its end where that is null. */
    start(steps = null) {
        if (!this.choice.isPossible) {
            return;
        }
        const paused = steps !== null;
        const heard = {
            begin: (detail) => this.began(detail, steps),
            frame: (detail) => this.take(detail),
            end: (detail) => this.ended(howItEnded(detail), detail.network),
            refused: ({ says }) => this.ended(says),
            closed: () => this.ended("The connection is gone: is `deltarule playground` still running?"),
        };
        this.before = this.beforeThis?.() ?? null; // runs of Python are not compared
        const run = this.server.train({ ...this.choice.options(), paused }, (type, detail) => heard[type](detail));
        this.store.given ??= this.store.network;
        Object.assign(this, { run, frame: null, resumed: !paused });
        run.isFast = Boolean(this.choice.fast?.checked);
        this.verdict.textContent = "";
        this.view.weights.node.hidden = true; // until this run's are here
        this.status.textContent = "Reading the data …";
        this.show();
    }

    began({ sizes, parameters, changes, optimizer }, steps) {
        const changed = changes.length > 0 ? ` Changed for these data: ${changes.join("; ")}.` : "";
        this.status.textContent = `${sizes.join(" – ")}, ${parameters.toLocaleString("en")} parameters, ${optimizer}.${changed}`;
        announce(this.status.textContent);
        if (steps) {
            this.run.order("step", steps);
        }
    }

    take(frame) {
        Object.assign(this, { frame, asked: false, arrived: performance.now() });
        if (frame.network) {
            this.adopt(frame.network);
        }
        this.repaint();
        this.askNext();
    }

    /** Asks for the next frame once this one is painted; in Backprop and Mistakes, for a closer look, the stage does not change. */
    askForMore() {
        if (this.run && !this.asked && ["train", "draw"].includes(this.store.tab)) {
            this.asked = true;
            const calm = isCalm() ? CALM : 0;
            const wait = this.server.isLocal ? calm / 4 : Math.max(calm, (this.run.isFast ? FAST : PART) * (performance.now() - this.arrived));
            setTimeout(() => this.run?.order("more"), wait);
        }
    }

    paint() {
        if (!this.frame || !this.node.isConnected) {
            return;
        }
        this.view.paint(this.frame, this.before);
        this.status.textContent = whereItStands(this.frame);
        this.show();
        if (Date.now() - this.lastTold > TALK || this.frame.paused) {
            this.lastTold = Date.now();
            announce(`${this.status.textContent}. ${LayerTable.sentence(this.frame.layers)}`);
        }
    }

    /** network: that the run has left; null if it has begun none. */
    ended(sentence, network = null) {
        this.run = null;
        this.store.set({ waits: "" });
        this.verdict.textContent = sentence;
        if (network) {
            this.view.weights.paint(network);
            this.adopt(network);
        }
        this.status.textContent = this.frame ? whereItStands({ ...this.frame, paused: false }) : "Nothing is learning.";
        this.repaint();
        this.show();
    }

    /** Which buttons make sense now. */
    show() {
        const isOn = this.run !== null;
        this.back.hidden = isOn || !this.store.given || this.store.given === this.store.network;
        const paused = isOn && ((!this.resumed && this.frame?.paused !== false) || this.frame?.paused === true);
        const isNew = this.server.isLocal && paused && !(this.frame?.step > 0);
        this.begin.textContent = paused && !isNew ? "Go on" : "Start";
        this.begin.disabled = isOn && !paused;
        this.pause.disabled = !isOn || paused;
        this.stop.disabled = !isOn;
        this.choice.disabled = isOn && !isNew;
    }

    /** Lets every tab look at the network of before the first run. */
    giveBack() {
        this.adopt(this.store.given);
        this.show();
        this.verdict.textContent = "The other tabs look at the first network again.";
    }

    /** Puts a network into the other tabs; an input that it cannot read goes. */
    adopt(network) {
        const { at, network: { sizes } } = this.store;
        const x = network.isWorld ? Float64Array.from({ length: network.sizes[0] }, (_, k) => at?.[k] ?? 0) : null;
        this.store.set(network.sizes[0] === sizes[0] && !at ? { network } : { network, x, drawing: BLANK, at: null });
    }
}
