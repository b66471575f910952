import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { listenToKeys } from "./keys";
import { applyTheme } from "./theme";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/runs.css";
import "./styles/run.css";
import "./styles/views.css";
import "./styles/drawer.css";

applyTheme();
listenToKeys();
const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
