// Backprop: one example walked forward and back, with the numbers themselves, and every number checked.

import { readsDrawings } from "../shared/store.js";
import { announce, button, element, inSlices, keyGoal, repaintOn } from "../shared/widgets.js";
import { WalkMap } from "./blocks.js";
import { canCheck, CheckAll, checking } from "./check.js";
import { Source } from "./source.js";
import { Stage } from "./stage.js";
import { firstLook, pickedBy, pickedIndex, quantityOf, sentenceOf, shownOf, stepsOf, walkOf } from "./steps.js";
import { SumPanel } from "./sums.js";

class Backprop {
    constructor(panel, store) {
        Object.assign(this, { store, walk: null, steps: [], here: 0, at: [], cell: null, verdicts: new Map() });
        this.stop = new AbortController();
        this.source = new Source(store, () => this.refresh());
        this.list = element("ol", { class: "bp-steps", "aria-label": "Steps" });
        this.back = button("← Back", () => this.go(this.here - 1));
        this.next = button("Next →", () => this.go(this.here + 1), { class: "primary" });
        this.count = element("span", { class: "muted" });
        this.map = element("div", { class: "bp-map-place" });
        this.stage = new Stage((id, index) => this.pick(id, index));
        this.sum = new SumPanel((id, index) => this.pick(id, index), (id, index, value) => this.change(id, index, value));
        this.checkAll = new CheckAll((id, verdict) => this.judged(id, verdict));
        const stepper = element("div", { class: "row bp-stepper" }, this.back, this.next, this.count);
        this.begin = button("", () => store.set({ tab: "draw" }), { class: "primary" });
        const small = button("Begin with 2 – 3 – 2", () => this.source.choose("2-3-2"));
        const says = element("p", {}, "There is no example yet to walk through.");
        this.nothing = element("div", { class: "bp-nothing" }, says, element("div", { class: "row" }, this.begin, small));
        const desk = element("div", { class: "bp-desk" }, this.stage.root, this.sum.root);
        this.work = element("div", {}, stepper, this.list, this.map, desk, this.checkAll.root);
        panel.replaceChildren(this.source.root, this.nothing, this.work);
        this.list.addEventListener("keydown", (event) => this.stepByKey(event));
        this.refresh = repaintOn(store, panel, ["network", "trace", "label"], () => this.rewalk());
    }

    /** Walks through the example that is chosen, from the beginning where it is another network. */
    rewalk() {
        this.source.update();
        const example = this.source.example();
        this.begin.textContent = this.store.network && !readsDrawings(this.store.network) ? "Give it numbers" : "Draw a digit";
        this.nothing.hidden = example !== null;
        this.work.hidden = example === null;
        if (example === null) {
            this.walk = null;
            return;
        }
        const walked = `${this.source.chosen} ${this.store.structure}`;
        const isOther = this.walk === null || this.walked !== walked;
        this.walked = walked;
        this.walk = walkOf(example.network, example.x, example.y, this.source.rate);
        this.verdicts = new Map();
        this.checkAll.open(this.walk);
        this.steps = stepsOf(this.walk);
        if (isOther) {
            this.atChosen = false;
            this.here = 0;
            this.mapOf = new WalkMap(this.walk, (id) => this.openQuantity(id));
            this.map.replaceChildren(this.mapOf.root);
            this.listSteps();
        }
        this.at = this.atChosen ? this.at : firstLook(this.walk);
        this.go(this.here, false, this.atChosen ? this.cell : null);
    }

    listSteps() {
        const many = this.walk.last > 1;
        this.list.replaceChildren(
            ...this.steps.map((step, n) => {
                const name = many && step.l > 0 && !["C", "BP1"].includes(step.group) ? `${step.group} · ${step.l - 1}` : step.group;
                return element("li", {}, button(name, () => this.go(n), { tabindex: "-1", "aria-label": `${step.group}: ${step.title}` }));
            }),
        );
    }

    stepByKey(event) {
        const goal = keyGoal(event.key, this.here, this.steps.length);
        if (this.steps[goal]) {
            event.preventDefault();
            this.go(goal);
            this.list.children[goal].firstChild.focus();
        }
    }

    /** Opens step n, with the number that it makes for the picked neuron, or a cell. */
    go(n, isAsked = true, cell = null) {
        const goal = Math.max(0, Math.min(this.steps.length - 1, n));
        this.here = goal;
        const step = this.steps[goal];
        [...this.list.children].forEach((item, at) => {
            const shown = item.firstChild;
            shown.setAttribute("tabindex", at === goal ? "0" : "-1");
            shown.toggleAttribute("aria-current", at === goal);
            shown.classList.toggle("bp-passed", at < goal);
        });
        const current = this.list.children[goal].firstChild;
        this.list.scrollLeft = current.offsetLeft - this.list.offsetLeft - (this.list.clientWidth - current.clientWidth) / 2;
        this.back.disabled = goal === 0;
        this.next.disabled = goal === this.steps.length - 1;
        this.count.textContent = `step ${goal + 1} of ${this.steps.length}`;
        this.stage.open(this.walk, step, this.at);
        const id = step.makes[step.makes.length - 1];
        this.cell = cell ?? { id, index: pickedIndex(this.walk, quantityOf(this.walk, id), this.at) };
        this.check(step);
        this.paint();
        if (isAsked) {
            this.say();
        }
    }

    /** Opens the step that makes a quantity; of what is given, the first that reads it. */
    openQuantity(id) {
        const makes = this.steps.findIndex((step) => step.makes.includes(id));
        this.go(makes >= 0 ? makes : this.steps.findIndex((step) => step.reads.includes(id)));
        this.pick(id, pickedIndex(this.walk, quantityOf(this.walk, id), this.at));
    }

    pick(id, index) {
        this.atChosen = true;
        this.at = pickedBy(this.walk, quantityOf(this.walk, id), index, this.at);
        this.cell = { id, index };
        this.check(this.steps[this.here]);
        this.paint();
        this.say();
    }

    change(id, index, value) {
        const { kind, l } = quantityOf(this.walk, id);
        this.source.change(kind, l, index, value);
    }

    paint() {
        this.paintStep();
        this.sum.show(this.walk, this.cell.id, this.cell.index, this.source.practice() !== null);
    }

    paintStep() {
        const step = this.steps[this.here];
        this.stage.update(this.walk, step, this.at, this.cell, this.verdicts);
        this.mapOf.update(this.walk, step, this.at, this.verdicts);
    }

    say() {
        announce(sentenceOf(this.walk, this.steps[this.here], this.cell.id, this.cell.index));
    }

    /** Compares what the step makes, as far as it is shown, with two nudges each. */
    check(step) {
        this.stop.abort();
        this.stop = new AbortController();
        for (const id of step.makes.filter((each) => canCheck(quantityOf(this.walk, each).kind))) {
            const { indices } = shownOf(this.walk, id, this.at);
            const old = this.verdicts.get(id);
            if (!old?.whole && old?.first !== indices[0]) {
                this.verdicts.delete(id); // it was about the weights of another neuron
                const take = (verdict) => this.judged(id, { ...verdict, first: indices[0] });
                inSlices(checking(this.walk, id, indices), () => {}, this.stop.signal).then(take);
            }
        }
    }

    judged(id, verdict) {
        this.verdicts.set(id, verdict);
        this.paintStep();
    }
}

/** Mounts the tab into its panel. */
export const mount = (panel, store) => new Backprop(panel, store);
