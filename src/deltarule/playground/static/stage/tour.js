// A tour of eight steps: it draws, highlights a neuron, silences it, sends the error back, lets the network learn, and gives
// the user the pen. Every step sets the whole state that it explains, so that Back and Next work everywhere.

import { BLANK, readsDrawings } from "../shared/store.js";
import { button, element, isCalm, largestOf } from "../shared/widgets.js";
import { nameOf, sentence } from "./answers.js";
import { silenced } from "./touch.js";

const THREE = [[92, 70], [132, 52], [174, 68], [176, 104], [130, 132], [178, 152], [190, 192], [150, 226], [90, 214]];
const DRAWING = 1200; // milliseconds that the digit takes
const MOST_STEPS = 40; // of learning: far fewer turn the answer

const frames = async (count) => {
    for (let left = count; left > 0; left -= 1) {
        await new Promise(requestAnimationFrame);
    }
};
const wait = (time) => new Promise((resolve) => setTimeout(resolve, isCalm() ? 0 : time));
const all = (selector) => [...document.querySelectorAll(selector)];

/** The stroke as far as a share of its points, which are spread along it. */
function part(share) {
    const points = THREE.slice(1).flatMap((point, at) => [0, 0.25, 0.5, 0.75].map((way) => point.map((each, axis) => THREE[at][axis] + (each - THREE[at][axis]) * way)));
    return [...points, THREE.at(-1)].slice(0, Math.max(1, Math.ceil(share * (points.length + 1))));
}

class Tour {
    constructor(store) {
        Object.assign(this, { store, at: 0, turn: 0, start: null });
        this.text = element("p", { tabindex: "-1", "aria-live": "polite" });
        this.back = button("← Back", () => this.go(this.at - 1));
        this.next = button("", () => (this.at === STEPS.length - 1 ? this.end() : this.go(this.at + 1)), { class: "primary" });
        this.count = element("span", { class: "small muted" });
        this.node = element("section", { class: "tour", role: "dialog", "aria-label": "Tour", hidden: true }, this.text,
            element("div", { class: "row" }, this.back, this.next, this.count, button("Skip", () => this.end(), { class: "quiet" })));
        this.node.addEventListener("keydown", ({ key }) => key === "Escape" && this.end());
        document.body.append(this.node);
    }

    /** Opens step n; what the step before still does is of no use. */
    async go(n) {
        if (this.start === null) {
            this.store.set({ tab: "draw" }); // if no practice network replaces it
            const { network, drawing } = this.store;
            this.start = { network, drawing };
        }
        this.at = Math.max(0, n);
        this.turn += 1;
        const { turn } = this;
        all(".toured").forEach((each) => each.classList.remove("toured"));
        this.node.hidden = false;
        this.back.disabled = this.at === 0;
        this.next.textContent = this.at === STEPS.length - 1 ? "Draw" : "Next →";
        this.count.textContent = `${this.at + 1} of ${STEPS.length}`;
        const [place, says, act] = STEPS[this.at];
        if (this.at > 0 && this.at < STEPS.length - 1) {
            this.draw(1, act.label?.(this));
        }
        this.text.textContent = says(this.store);
        this.text.focus({ preventScroll: true });
        all(place)[0]?.scrollIntoView({ block: "nearest" });
        await frames(2);
        await act(this, () => turn === this.turn);
        if (turn === this.turn) {
            this.text.textContent = says(this.store);
            all(place).forEach((each) => each.classList.add("toured"));
        }
    }

    /** The network of before with a share of the digit on the pad. */
    draw(share, label = null) {
        this.store.set({ network: this.start.network, tab: label === null ? "draw" : "backprop",
            drawing: { ...BLANK, strokes: [part(share)], label, before: this.start.drawing } });
    }

    /** Puts everything back; after the last step the pad is empty, and undo brings back what was on it. */
    end() {
        this.turn += 1;
        all(".toured").forEach((each) => each.classList.remove("toured"));
        this.node.hidden = true;
        const { network, drawing } = this.start;
        this.store.set({ network, drawing: this.at < STEPS.length - 1 ? drawing : { ...BLANK, before: drawing }, tab: "draw" });
        this.start = null;
        document.querySelector("#stage .pad").focus();
    }
}

/** The cell of the most active neuron of the first hidden layer, or the bar of the answer without hidden layers. */
function brightest({ trace, answer }) {
    return trace.a.length > 2 ? [1, largestOf(trace.a[1], 1)[0] ?? 0] : [1, answer];
}

/** Points at a neuron, as a mouse does. */
function pointAt([layer, neuron], last) {
    const places = layer === last ? all(".bars li") : all(`.cell[data-layer="${layer}"]`);
    places.findLast((each) => Number(each.dataset.neuron) <= neuron).dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
}

const look = async ({ store }) => pointAt(brightest(store), store.network.weights.length);
const silence = async (tour) => {
    const [layer, neuron] = brightest(tour.store);
    await look(tour);
    await wait(700);
    if (layer < tour.store.network.weights.length) {
        tour.store.set({ network: silenced(tour.store.network, layer, neuron) });
    }
};

/** A step that continues in Backprop, with a label that the network gets wrong. */
function inBackprop(act) {
    const label = ({ store: { answer } }) => (answer === 5 ? 3 : 5);
    return Object.assign(async (tour, isOn) => {
        await frames(3);
        return act(tour, isOn);
    }, { label });
}

const openSteps = (group) => async (_, isOn) => {
    for (const step of all(`.bp-steps [aria-label^="${group}:"]`)) {
        if (isOn()) {
            step.click();
            await wait(800);
        }
    }
};
const learn = async (tour, isOn) => {
    all('.bp-steps [aria-label^="update:"]')[0].click();
    const take = () => all(".bp-top button").find((each) => each.textContent === "Take this step");
    for (let step = 0; step < MOST_STEPS && isOn() && tour.store.answer !== tour.store.label; step += 1) {
        await wait(500);
        if (isOn()) {
            take().click();
            await frames(2);
        }
    }
};
const drawAll = async (tour, isOn) => {
    const began = performance.now();
    for (let share = 0; share < 1 && isOn(); await frames(1)) {
        share = isCalm() ? 1 : Math.min(1, (performance.now() - began) / DRAWING);
        tour.draw(share);
    }
    await frames(2);
};

/** The place to look at, the sentence, and the action. */
const STEPS = [
    [".input", () => "This is a whole neural network. A 3 is drawn on the left …", drawAll],
    [".outputs", (store) => `… and the answer comes out on the right. ${sentence(store)} Each bar is one output.`, async () => {}],
    [".beside", () => "In between, each cell is a neuron. The brightest is open beside them: its learned weights, what each input adds, and where its output goes.", look],
    [".cell.silent, .outputs, .beside", (store) => `Any number can be changed by hand. Here that neuron is silenced. ${sentence(store)} One neuron seldom decides alone.`, silence],
    [".outputs", (store) => `Suppose the answer should have been ${nameOf(store.network, store.label ?? store.answer)}. Now the network is wrong, and every output has an error: one is too large, another too small.`, inBackprop(openSteps("BP1"))],
    [".layer:not(.input, .outputs)", () => "Backpropagation sends that error back along the same connections, layer by layer, until every weight has its share of the error.", inBackprop(openSteps("BP2"))],
    [".outputs", (store) => `The network learns: each step changes all weights a little against their share. ${sentence(store)}`, inBackprop(learn)],
    [".input .pad", () => "Your turn. Draw a digit; then let a new network learn in Train, follow your own error in Backprop, or see the misread digits in Mistakes.",
        async ({ store, start }) => store.set({ network: start.network, drawing: { ...BLANK, before: start.drawing }, tab: "draw" })],
];

/** Connects the button that starts it, if the network reads drawn digits. */
export function connectTour(store) {
    const tour = new Tour(store);
    const open = document.getElementById("tour");
    open.addEventListener("click", () => tour.go(0));
    store.on(["structure"], () => !store.network.practice &&
        (open.hidden = !(readsDrawings(store.network) && store.network.task === "classes" && store.network.sizes.at(-1) === 10)));
}
