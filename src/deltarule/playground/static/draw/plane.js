// The input of a world: points in a picture, in front of the network's answers; and, in the cells of the same panel, the
// activations of every neuron. Of two numbers a plane, whose color is the answer; of one a curve, whose height it is.

import { activations } from "../engine/network.js";
import { announce, button, color, element, farthest, paintSigned, repaintOn, rgb, shareOf, shown } from "../shared/widgets.js";
import { COLORS, dogAt, REACH, snapped } from "../train/worlds.js";

const SIZE = 600; // of the picture
const CELL = 88; // of a curve in a cell
const SIDE = 48; // of the grid of points at which activations are computed; less if a network is large,
const ALONG = 240; // or so many along one input
const WORK = 4e7; // products that all points of the grid may take
const PALE = 1.7; // the answer stays below full color, which is the points'
const LOOK = "The ring is what the network answers. Press, drag or use the arrow keys to move it.";
const ADD = "A click or Space adds a point; Backspace removes the last.";
const SAYS = {
    classes: "Pale means that the network is unsure.", values: "The line is the network's answer.",
    labels: "The line is the probability that a dog with such eyes is cute, from 0 below to 1 above.",
};
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 1], ArrowDown: [1, -1] };

const seen = {}; // network: the last one, side: of the grid, layers: its activations there

/** The activations of all neurons of a network on the plane, row by row from the top, or from left to right. */
function look(network) {
    if (seen.network !== network) {
        const isPlane = network.sizes[0] === 2;
        const most = WORK / network.weights.reduce((sum, each) => sum + each.length, 0);
        const side = isPlane ? Math.max(12, Math.min(SIDE, Math.floor(Math.sqrt(most)))) : ALONG;
        const place = (index) => REACH * (2 * (index + 0.5) / side - 1);
        const grid = Array.from({ length: isPlane ? side * side : side }, (_, at) => (isPlane ? [place(at % side), -place(Math.floor(at / side))] : place(at)));
        Object.assign(seen, { network, side, layers: activations(network, Float64Array.from(grid.flat())) });
    }
    return seen;
}

/**
 * Paints on a canvas a hidden neuron's activation (layers are counted from 1), or the answer: on the plane, a sigmoid's middle
 * pale; or as a curve, on which a probability takes the room from -1 to 1.
 */
function paint(canvas, network, layer = network.sizes.length - 1, neuron = null) {
    const { side, layers: { [layer - 1]: values } } = look(network);
    const size = network.sizes[layer];
    const [isPlane, isHidden, isSigmoid] = [network.sizes[0] === 2, neuron !== null, network.parts[layer - 1].name === "sigmoid"];
    const own = Float64Array.from({ length: values.length / size }, (_, at) =>
        (isHidden || size === 1 ? values[at * size + (neuron ?? 0)] : values[2 * at + 1] - values[2 * at]));
    if (isPlane) {
        Object.assign(canvas, { width: side, height: side });
        return paintSigned(canvas, isHidden && isSigmoid ? own.map((a) => a - 0.5) : own, isHidden ? (isSigmoid ? 0.5 : farthest(own)) : PALE);
    }
    const [context, { width }, reach] = [canvas.getContext("2d"), canvas, isHidden ? 1.1 * farthest(own) || 1 : REACH];
    const line = (heights, tone) => {
        context.strokeStyle = rgb(color(tone));
        context.beginPath();
        heights.forEach((height, at) => context.lineTo(at * width / (heights.length - 1), (1 - height / reach) * width / 2));
        context.stroke();
    };
    Object.assign(context, { fillStyle: rgb(color("--paper")), lineWidth: Math.max(4, width / 75) }).fillRect(0, 0, width, width);
    line([0, 0], "--line");
    return line(!isHidden && isSigmoid ? own.map((a) => 2 * a - 1) : own, isHidden ? "--positive" : "--ink");
}

/** A point of that radius: a disk if it is orange, a square if it is blue, hollow if it is held out. */
function paintPoint(context, [x, y], kind, isHollow, radius) {
    const tones = [rgb(color(kind === 1 ? "--positive" : "--negative")), rgb(color("--paper"))];
    context.beginPath();
    kind === 1 ? context.rect(x - radius, y - radius, 2 * radius, 2 * radius) : context.arc(x, y, 1.2 * radius, 0, 2 * Math.PI);
    [context.fillStyle, context.strokeStyle] = isHollow ? tones.reverse() : tones;
    context.lineWidth = isHollow ? radius * 2 / 3 : radius / 3;
    context.fill();
    context.stroke();
}

/** The picture in which points are added to `store.world` and `store.x` is moved, instead of fields for its numbers. */
export function makePlane(panel, store) {
    const canvas = element("canvas", { width: SIZE, height: SIZE, class: "pad plane", role: "application", tabindex: "0", "aria-roledescription": "picture of points", "aria-describedby": "plane-keys" });
    const [isPlane, task] = [store.network.sizes[0] === 2, store.network.task];
    const small = element("canvas", { width: SIZE, height: SIZE });
    const caption = element("p", { class: "small muted" });
    const keys = element("p", { id: "plane-keys", class: "small muted" });
    let [kind, takes, cell, up] = [null, null, null, 0]; // kind: of the next point, null: a click adds none; takes: whether one always does; up: where the cursor stands above x, if there is only x
    const choices = (isPlane ? COLORS : ["Add points"]).map((name, index) => button(name, () => choose(kind === index && !takes ? null : index), { class: isPlane ? `color ${name}` : "" }));
    const choose = (chosen) => {
        kind = chosen;
        choices.forEach((each, index) => each.setAttribute("aria-pressed", String(index === kind)));
        [undo, clear].forEach((each) => (each.hidden = kind === null));
        keys.textContent = kind === null ? LOOK : ADD;
    };
    const put = (points) => store.set({ world: { points: points.map(snapped), train: points.length, isOwn: true } });
    const add = ([x, y]) => kind !== null && put([...store.world.points, task === "labels" ? dogAt(x, y > 0) : [x, y, isPlane ? kind : 1]]);
    const remove = () => put(store.world.points.slice(0, -1));
    const cursor = () => [...store.x ?? [0, 0], up].slice(0, 2);
    const move = (place) => {
        const within = snapped(place);
        [, up] = within;
        return store.network.isWorld && store.set({ x: Float64Array.from(within.slice(0, store.network.sizes[0])), label: null });
    };
    const at = (event) => shareOf(canvas, event).map((share, axis) => [REACH, -REACH][axis] * (2 * share - 1));
    const [undo, clear] = [button("Remove the last", remove), button("Remove all", () => put([]))];
    ["pointerdown", "pointermove"].forEach((name) => canvas.addEventListener(name, (event) => event.buttons > 0 && move(at(event))));
    canvas.addEventListener("click", (event) => add(at(event)));
    canvas.addEventListener("keydown", (event) => {
        const place = cursor();
        const [along, by] = ARROWS[event.key] ?? [];
        if (by) {
            place[along] += by * REACH / 26;
            move(place);
            announce(canvas.getAttribute("aria-label"));
        } else if ([" ", "Backspace"].includes(event.key)) {
            event.key === " " ? add(place) : kind !== null && remove();
        }
        if (by || event.key === " ") {
            event.preventDefault();
        }
    });
    const repaint = repaintOn(store, panel, ["network", "x", "world", "tab"], () => {
        const { network, world, x, outputs, answer } = store;
        if (!network.isWorld || !world || !canvas.isConnected) {
            return;
        }
        if (takes !== Boolean(world.takesPoints)) {
            takes = Boolean(world.takesPoints);
            choose(takes ? choices.length - 1 : null);
        }
        const canvasOf = (each) => each.firstElementChild ?? each.appendChild(element("canvas", { width: CELL, height: CELL }));
        panel.querySelectorAll(".cell").forEach((each) => paint(canvasOf(each), network, Number(each.dataset.layer), Number(each.dataset.neuron)));
        paint(small, network, ...cell?.isConnected ? [Number(cell.dataset.layer), Number(cell.dataset.neuron)] : []);
        const context = canvas.getContext("2d");
        context.drawImage(small, 0, 0, SIZE, SIZE);
        const place = ([one, other]) => [(one / REACH + 1) * SIZE / 2, (1 - other / REACH) * SIZE / 2];
        context.globalAlpha = isPlane ? 1 : 0.5;
        world.points.forEach((point, index) => paintPoint(context, place(point), point[2], index >= world.train, isPlane ? 6 : 4));
        context.globalAlpha = 1;
        if (x) {
            Object.assign(context, { lineWidth: 3, strokeStyle: rgb(color("--ink")) });
            context.beginPath();
            context.arc(...place(cursor()), 14, 0, 2 * Math.PI);
            context.stroke();
        }
        caption.textContent = cell ? `${cell.getAttribute("aria-label")}: ${isPlane ? "blue means high, orange means low" : "its activation over x"}.` :
            `${SAYS[task]}${world.train < world.points.length ? " Hollow points are held out." : ""}`;
        const says = isPlane ? `${COLORS[answer]}, ${shown(outputs?.[answer] ?? 0)}` : shown(outputs?.[0] ?? 0);
        canvas.setAttribute("aria-label", `${world.points.length} points, ${world.train} of them for training.${x ? ` At ${cursor().map((each) => shown(each)).join(", ")} the answer is ${says}.` : ""}`);
    });
    const point = ({ type, target }) => {
        const other = ["pointerleave", "focusout"].includes(type) ? null : target.closest?.(".cell");
        if (other !== cell) {
            cell = other;
            repaint();
        }
    };
    ["pointerover", "pointerleave", "focusin", "focusout"].forEach((name) => panel.addEventListener(name, point));
    return element("div", { class: "world" }, canvas, caption,
        element("div", { class: "row", role: "group", "aria-label": isPlane ? "Add points of a color" : "Points" }, ...choices, undo, clear), keys);
}
