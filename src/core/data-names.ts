/** Owns how a graph calls the files that its weights are in. Owns no files. */

/**
 * The name under which the graph at `graphPath` looks for its `index`th file of data, which lies at `dataPath`: its own
 * name where it has a file of its own, and where several graphs share the files, what it would call its own.
 */
export function dataNameOf(graphPath: string, dataPath: string, index: number): string {
  const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  const [graph, data] = [base(graphPath), base(dataPath)];
  const isShared = /\.onnx_data(?:_\d+)?$/.test(data) && !data.startsWith(`${graph}_data`);
  return isShared ? `${graph}_data${index === 0 ? '' : `_${index}`}` : data;
}
