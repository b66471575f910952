import { useJson } from "../../../api/useJson";
import { Failed, Loading } from "../../../ui/states";
import { Text } from "./Text";

export function Otlp({ path }: { path: string }) {
  const { data, error, reload } = useJson<unknown>(path);
  if (error) return <Failed error={error} retry={reload} />;
  if (!data) return <Loading what="the span as it was sent" />;
  return <Text text={JSON.stringify(data, null, 2)} code />;
}
