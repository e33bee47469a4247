// A pad to draw on, with mouse, finger, pen or arrow keys. Several pads may show the same drawing of the store.

import { BLANK, PAD_SIZE } from "../shared/store.js";
import { announce, color, element, paintInk, paintPhoto, repaintOn, rgb, shareOf } from "../shared/widgets.js";

const PEN = 18; // the width of a line on the pad, in pad pixels
const STEP = PAD_SIZE / 28; // the step of an arrow key: one pixel of the picture that the network reads
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const half = (value) => Math.round(2 * value) / 2;

/** The drawing before the last stroke, nudge, picture or clearing. */
export function undo(store) {
    if (store.drawing.before) {
        store.set({ drawing: store.drawing.before });
    }
}

/** An empty pad, which undo fills again. */
export function clear(store) {
    if (store.drawing.strokes.length > 0 || store.drawing.picture) {
        store.set({ drawing: { ...BLANK, before: store.drawing } });
    }
}

/** Moves everything on the pad by so many pad pixels; nudges in a row are undone together. */
export function nudge(store, dx, dy) {
    const old = store.drawing;
    const strokes = old.strokes.map((stroke) => stroke.map(([x, y]) => [x + dx, y + dy]));
    const before = old.nudged ? old.before : old;
    store.set({ drawing: { ...old, strokes, dx: old.dx + dx, dy: old.dy + dy, before, nudged: true } });
}

/**
 * Begins a stroke; a picture on the pad gives way to it, and its label goes. Returns a function that continues the
 * stroke: it takes points, and returns false and does nothing once anything else has changed the drawing.
 */
function begin(store, point) {
    const old = store.drawing;
    const stroke = [point];
    const { strokes: kept, label } = old.picture ? BLANK : old;
    const strokes = [...kept, stroke];
    store.set({ drawing: { ...BLANK, strokes, before: old, label } });
    return (points) => {
        if (store.drawing.strokes !== strokes) {
            return false;
        }
        const length = stroke.length;
        stroke.push(...points.filter(([x, y], index) => {
            const [lastX, lastY] = points[index - 1] ?? stroke.at(-1); // points nearer than half a pad pixel add nothing
            return x !== lastX || y !== lastY;
        }));
        if (stroke.length > length) {
            store.set({ drawing: { ...store.drawing } });
        }
        return true;
    };
}

/** Draws the picture, as it fits on the pad, moved by the nudges. */
function placePicture(context, { picture: { width, height, pixels }, dx, dy }, paintPicture) {
    const canvas = element("canvas", { width, height });
    paintPicture(canvas, pixels);
    const scale = PAD_SIZE / Math.max(width, height);
    const [across, down] = [width * scale, height * scale];
    context.imageSmoothingEnabled = scale < 1;
    context.drawImage(canvas, (PAD_SIZE - across) / 2 + dx, (PAD_SIZE - down) / 2 + dy, across, down);
}

/** Paints a drawing, strokes with a round pen, a point alone as a dot. The context is scaled to pad pixels. */
export function paintDrawing(context, drawing, paper, ink, paintPicture) {
    context.fillStyle = paper;
    context.fillRect(0, 0, PAD_SIZE, PAD_SIZE);
    if (drawing.picture) {
        placePicture(context, drawing, paintPicture);
    }
    Object.assign(context, { strokeStyle: ink, lineCap: "round", lineJoin: "round", lineWidth: PEN });
    context.beginPath();
    for (const stroke of drawing.strokes) {
        context.moveTo(...stroke[0]);
        stroke.forEach((point) => context.lineTo(...point));
    }
    context.stroke();
}

/** Lets mouse, finger and pen draw on the canvas: one pointer at a time, with every point between two frames. */
function connectPointer(canvas, store, keyboard) {
    let pointer = null;
    let goOn = null;
    const points = (event) => {
        const all = event.getCoalescedEvents?.() ?? [];
        return (all.length > 0 ? all : [event]).map((each) => shareOf(canvas, each).map((share) => half(PAD_SIZE * share)));
    };
    canvas.addEventListener("pointerdown", (event) => {
        if (pointer === null && event.button === 0) {
            pointer = event.pointerId;
            canvas.setPointerCapture(pointer);
            keyboard.stop();
            goOn = begin(store, points(event)[0]);
        }
    });
    canvas.addEventListener("pointermove", (event) => {
        if (event.pointerId === pointer && !goOn(points(event))) {
            pointer = null; // the rest of this stroke would belong to another drawing
        }
    });
    const end = ({ pointerId }) => (pointer = pointerId === pointer ? null : pointer);
    ["pointerup", "pointercancel", "lostpointercapture"].forEach((name) => canvas.addEventListener(name, end));
}

/** The pen that arrow keys move: Space lowers and raises it, Escape puts it away; away, arrow keys nudge the drawing. */
class KeyboardPen {
    constructor(store, changed) {
        Object.assign(this, { store, changed, active: false, down: false, at: [PAD_SIZE / 2, PAD_SIZE / 2] });
    }

    stop() {
        this.active = this.down = false;
        this.changed();
    }

    /** Space: takes the pen out, lowers it, raises it. */
    press() {
        this.down = this.active && !this.down;
        if (this.down) {
            this.goOn = begin(this.store, this.at);
        }
        this.active = true;
        announce(this.down ? "The pen is down." : "The pen is up.");
        this.changed();
    }

    arrow([x, y], step) {
        if (!this.active) {
            return nudge(this.store, x * STEP, y * STEP);
        }
        const inside = (value) => Math.max(0, Math.min(PAD_SIZE, value));
        this.at = [inside(this.at[0] + x * step), inside(this.at[1] + y * step)];
        this.down = this.down && this.goOn([this.at]);
        this.changed();
    }

    /** Acts on a key; whether it was one of the pad's. */
    key(event) {
        const isUndo = event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey));
        if (event.key in ARROWS) {
            this.arrow(ARROWS[event.key], event.shiftKey ? 2 : STEP);
        } else if (event.key === " ") {
            this.press();
        } else if (event.key === "Escape" && this.active) {
            this.stop();
        } else if (isUndo || event.key === "Delete") {
            (isUndo ? undo : clear)(this.store);
            this.down = false;
        } else {
            return false;
        }
        return true;
    }
}

/** Paints the cursor of the keyboard's pen: a cross, with a full dot in it when the pen is down. */
function paintCursor(context, pen) {
    const [x, y] = pen.at;
    context.strokeStyle = context.fillStyle = rgb(color("--accent"));
    context.lineWidth = 2;
    context.beginPath();
    [[-16, 0, -6, 0], [6, 0, 16, 0], [0, -16, 0, -6], [0, 6, 0, 16]].forEach(([fromX, fromY, toX, toY]) => {
        context.moveTo(x + fromX, y + fromY);
        context.lineTo(x + toX, y + toY);
    });
    context.stroke();
    if (pen.down) {
        context.beginPath();
        context.arc(x, y, 5, 0, 2 * Math.PI);
        context.fill();
    }
}

/**
 * A pad in `panel` that shows and changes `store.drawing`.
 * `describedBy` is the id of the sentence that explains the keys.
 */
export function makePad(panel, store, describedBy) {
    const canvas = element("canvas", {
        class: "pad", width: 2 * PAD_SIZE, height: 2 * PAD_SIZE, tabindex: "0", role: "application",
        "aria-label": "Drawing pad", "aria-describedby": describedBy,
    });
    const paint = () => {
        const { drawing } = store;
        const context = canvas.getContext("2d");
        context.setTransform(2, 0, 0, 2, 0, 0);
        const [paper, ink] = ["--pad", "--pad-ink"].map((name) => rgb(color(name)));
        paintDrawing(context, drawing, paper, ink, drawing.picture?.gray ? paintPhoto : paintInk);
        if (pen.active) {
            paintCursor(context, pen);
        }
    };
    const pen = new KeyboardPen(store, repaintOn(store, panel, ["drawing"], paint));
    connectPointer(canvas, store, pen);
    canvas.addEventListener("keydown", (event) => pen.key(event) && event.preventDefault());
    canvas.addEventListener("blur", () => pen.active && pen.stop());
    return canvas;
}
