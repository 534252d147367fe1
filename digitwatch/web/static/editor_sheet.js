// The example of a template with its boxes: drawn, moved and resized by mouse, touch and keyboard. Needs page.js.
"use strict";

const SMALLEST = 0.004; // side of a box, as a share of the page
const STEPS = { plain: 0.005, fine: 0.001 }; // by which an arrow key moves or resizes

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function inside([left, top, width, height]) {
  const [w, h] = [clamp(width, SMALLEST, 1), clamp(height, SMALLEST, 1)];
  return [clamp(left, 0, 1 - w), clamp(top, 0, 1 - h), w, h];
}

class Sheet {
  // `acts`: change(before) is called before a change, draw() after one, select(field), remove(field), enter(field)
  constructor(place, acts) {
    this.place = place;
    this.acts = acts;
    this.elements = new Map(); // by field
    this.size = 0;
    place.addEventListener("pointerdown", (event) => this.press(event));
  }

  show(fields, current) {
    for (const [field, element] of this.elements) {
      if (fields.includes(field)) continue;
      element.remove();
      this.elements.delete(field);
    }
    for (const field of fields) {
      if (!this.elements.has(field)) {
        this.elements.set(field, this.made(field));
        this.place.append(this.elements.get(field)); // once: an element that is moved loses the focus
      }
      const element = this.elements.get(field);
      ["left", "top", "width", "height"].forEach((side, k) => (element.style[side] = `${100 * field.box[k]}%`));
      element.firstChild.textContent = field.name;
      element.classList.toggle("current", field === current);
      element.setAttribute("aria-label", `Field ${field.name || "without a name"}`);
    }
  }

  made(field) {
    const element = document.createElement("div");
    element.className = "box";
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.setAttribute("aria-describedby", "box-help");
    element.append(document.createElement("span"), document.createElement("i"));
    element.addEventListener("focus", () => this.acts.select(field));
    element.addEventListener("keydown", (event) => this.key(event, field));
    return element;
  }

  // Returns where an event is, as shares of the page.
  at(event) {
    const box = this.place.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((x) => clamp(x, 0, 1));
  }

  press(event) {
    if (event.button) return;
    const begun = this.at(event);
    const pressed = event.target.closest(".box");
    const known = [...this.elements].find(([, element]) => element === pressed)?.[0];
    event.preventDefault();
    this.acts.change();
    const field = known || this.acts.add([...begun, SMALLEST, SMALLEST]);
    const before = [...field.box];
    const resizes = !known || event.target.tagName === "I";
    this.elements.get(field).focus({ preventScroll: true });
    this.place.setPointerCapture(event.pointerId);
    this.place.onpointermove = (moved) => {
      const [x, y] = this.at(moved);
      field.box = resizes ? this.stretched(begun, before, [x, y], known) : inside([before[0] + x - begun[0], before[1] + y - begun[1], before[2], before[3]]);
      this.acts.draw();
    };
    this.place.onpointerup = this.place.onpointercancel = () => {
      this.place.onpointermove = this.place.onpointerup = null;
      if (!known && Math.max(field.box[2], field.box[3]) < 2 * SMALLEST) this.acts.remove(field); // only a press
    };
  }

  stretched(begun, before, [x, y], known) {
    if (known) return inside([before[0], before[1], before[2] + x - begun[0], before[3] + y - begun[1]]);
    return inside([Math.min(begun[0], x), Math.min(begun[1], y), Math.abs(x - begun[0]), Math.abs(y - begun[1])]);
  }

  key(event, field) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      const step = event.ctrlKey ? STEPS.fine : STEPS.plain;
      const [left, top, width, height] = field.box;
      const [x, y] = way.map((share) => share * step);
      this.acts.change(event.repeat);
      field.box = event.shiftKey ? [left, top, clamp(width + x, SMALLEST, 1 - left), clamp(height + y, SMALLEST, 1 - top)] : inside([left + x, top + y, width, height]);
      this.acts.draw();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.acts.change();
      this.acts.remove(field);
    } else if (event.key === "Enter" || event.key === " ") this.acts.enter(field);
    else return;
    event.preventDefault();
  }

  resize(steps) {
    this.size = steps ? clamp(this.size + steps, 0, 6) : 0;
    this.place.style.width = `${100 * 1.4 ** this.size}%`;
  }
}
