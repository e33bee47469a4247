// Backprop: one example, step by step forward and back, with all its numbers, and every number checked.

import { update } from "../engine/network.js";
import { readsDrawings } from "../shared/store.js";
import { announce, button, element, inSlices, repaintOn, roving } from "../shared/widgets.js";
import { touched } from "../stage/touch.js";
import { canCheck, CheckAll, checking, showBadge } from "./check.js";
import { Source } from "./source.js";
import { StepView } from "./step_view.js";
import { firstLook, flowOf, pickedBy, pickedIndex, quantityOf, sentenceOf, shownOf, stepsOf, walkOf } from "./steps.js";
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
        this.view = new StepView((id, index) => this.pick(id, index));
        this.sum = new SumPanel((id, index) => this.pick(id, index), (id, index, value) => this.change(id, index, value));
        this.checkAll = new CheckAll((id, verdict) => this.judged(id, verdict));
        this.take = button("Take this step", () => {
            const { network, gradient, rate } = this.walk;
            store.set({ network: { ...update(network, gradient, rate, store.frozen), was: network.was ?? network } });
        });
        this.stepper = element("div", { class: "row" }, this.back, this.next, this.count, this.take);
        this.work = element("div", {}, this.list, this.view.root, this.checkAll.root);
        panel.replaceChildren(element("div", { class: "row bp-top" }, this.stepper, this.source.root), this.source.says, this.work);
        const stage = document.getElementById("stage");
        stage.querySelector(".beside").append(this.sum.root);
        stage.addEventListener("click", ({ target }) => this.walk && store.tab === "backprop" && this.openNeuron(target.closest("[data-neuron]")));
        store.on(["tab"], () => this.showSum());
        this.showSum();
        roving(this.list, "button", () => this.steps.length);
        this.list.addEventListener("focusin", ({ target }) => target.matches("[aria-current]") || this.go([...this.list.children].indexOf(target.parentElement)));
        this.refresh = repaintOn(store, panel, ["network", "trace", "label"], () => this.rewalk());
    }

    /** Walks through the example that is chosen, from the beginning where it is another network. */
    rewalk() {
        this.source.update();
        const example = this.source.example();
        this.stepper.hidden = this.work.hidden = example === null;
        if (example === null) {
            this.walk = null;
            return this.store.set({ flow: null });
        }
        const isOther = this.walk === null || this.walked !== this.store.structure;
        this.walked = this.store.structure;
        this.walk = walkOf(example.network, example.x, example.y, this.source.rate);
        this.verdicts = new Map();
        this.checkAll.open(this.walk);
        this.steps = stepsOf(this.walk);
        if (isOther) {
            this.atChosen = false;
            this.here = 0;
            this.listSteps();
        }
        this.at = this.atChosen ? this.at : firstLook(this.walk);
        return this.go(this.here, false, this.atChosen ? this.cell : null);
    }

    /** What is picked opens beside the stage, instead of the neuron that is pointed at. */
    showSum() {
        this.sum.root.hidden = this.walk === null || this.store.tab !== "backprop";
    }

    listSteps() {
        const many = this.walk.last > 1;
        this.list.replaceChildren(...this.steps.map(({ group, l, title }, n) => {
            const name = many && l > 0 && !["C", "BP1"].includes(group) ? `${group} · ${l - 1}` : group;
            const open = button(name, () => this.go(n), { tabindex: "-1", "aria-label": `${group}: ${title}` });
            return element("li", {}, open, element("span", { class: "bp-mark" }));
        }));
    }

    /** Opens step n, with the number that it makes for the picked neuron, or a cell. */
    go(n, isAsked = true, cell = null) {
        const goal = (this.here = Math.max(0, Math.min(this.steps.length - 1, n)));
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
        this.take.hidden = step.group !== "update";
        this.view.open(this.walk, step, this.at);
        this.store.set({ flow: flowOf(this.walk, step) });
        const id = step.makes[step.makes.length - 1];
        this.cell = cell ?? { id, index: pickedIndex(this.walk, quantityOf(this.walk, id), this.at) };
        this.check(step);
        this.paint();
        if (isAsked) {
            this.say();
        }
    }

    /** Opens the step that makes a neuron's error, once the errors come back, or else its z. place: of the stage */
    openNeuron(place) {
        if (place) {
            const id = `${this.store.flow.back ? "d" : "z"}${place.dataset.layer ?? this.walk.last}`;
            this.go(this.steps.findIndex((step) => step.makes.includes(id)), false);
            this.pick(id, Number(place.dataset.neuron));
        }
    }

    pick(id, index) {
        this.atChosen = true;
        this.at = pickedBy(this.walk, quantityOf(this.walk, id), index, this.at);
        this.cell = { id, index };
        this.check(this.steps[this.here]);
        this.paint();
        this.say();
    }

    /** Takes a number that is given, changed by hand: a weight, a bias, or an input that is not drawn. */
    change(id, index, value) {
        const { kind, l } = quantityOf(this.walk, id);
        const { network, x } = this.store;
        const change = (numbers) => (numbers[index] = value);
        this.store.set(kind === "x" ? { x: x.with(index, value) } : { network: touched(network, kind, l, change) });
    }

    paint() {
        const isDrawn = this.cell.id === "x0" && readsDrawings(this.walk.network);
        this.showSum();
        this.paintStep();
        this.sum.show(this.walk, this.cell.id, this.cell.index, !isDrawn);
    }

    paintStep() {
        this.view.update(this.walk, this.steps[this.here], this.at, this.cell, this.verdicts);
        [...this.list.children].forEach((item, n) => {
            const found = this.steps[n].makes.map((id) => this.verdicts.get(id)).find((verdict) => verdict);
            const badge = showBadge(item.lastChild, "bp-mark", found);
            Object.assign(item.lastChild, { textContent: badge ? badge.text[0] : "", title: badge ? badge.text : "" });
        });
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
