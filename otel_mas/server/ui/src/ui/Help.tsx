import { useLayoutEffect, useMemo, useRef } from "react";
import { type Binding, useBindings, useKeys } from "../keys";

const NAMES: Record<string, string> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  " ": "Space",
};

export function Help({ onClose }: { onClose: () => void }) {
  const bindings = useBindings();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close(); // gives the focus back
  }, []);
  useKeys(
    useMemo<Binding[]>(() => [{ keys: ["Escape", "?"], description: "", group: "", run: onClose }], [onClose]),
  );
  const groups = [...new Set(bindings.map((one) => one.group))].filter(Boolean);
  return (
    <dialog ref={dialog} className="help" onClose={onClose} aria-labelledby="help-title">
      <h2 id="help-title">Keyboard</h2>
      <div className="columns">
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {bindings
                .filter((one) => one.group === group)
                .map((one) => (
                  <div key={one.keys.join()}>
                    <dt>
                      {one.keys.map((key) => (
                        <kbd key={key}>{NAMES[key] ?? key}</kbd>
                      ))}
                    </dt>
                    <dd>{one.description}</dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
