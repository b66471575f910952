import { useEffect, useMemo, useRef } from "react";
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
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useKeys(
    useMemo<Binding[]>(
      () => [{ keys: ["Escape", "?"], description: "", group: "", run: () => dialog.current?.close() }],
      [],
    ),
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
