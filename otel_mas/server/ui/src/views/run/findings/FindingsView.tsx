import { Empty } from "../../../ui/states";

export function FindingsView() {
  return <Empty title="Not there yet." />;
}
