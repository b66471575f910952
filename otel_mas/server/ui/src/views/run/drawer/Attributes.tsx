import { Text } from "./Text";

export function Attributes({ values }: { values: Record<string, unknown> }) {
  return (
    <table className="attributes">
      <tbody>
        {Object.entries(values).map(([name, value]) => (
          <tr key={name}>
            <th scope="row">
              <bdi>{name}</bdi>
            </th>
            <td>
              <Text text={typeof value === "string" ? value : JSON.stringify(value)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
