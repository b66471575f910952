import { Empty } from "../../ui/states";

export function AgentsView() {
  return <Empty title="Not there yet." />;
}
