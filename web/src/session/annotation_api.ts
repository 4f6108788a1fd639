/** The annotations of an exam over HTTP (docs/viewer-measuring.md). */

import type { Annotation } from '../dicom/annotation';

const MOST_BYTES = 900_000; // the server takes 1 MiB; many long contours go in several requests

/** The server said no; `message` is for the reader, `subject` the annotation that it names. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';

  constructor(
    readonly status: number,
    message: string,
    readonly subject: string | null,
  ) {
    super(message);
  }
}

const WORDS: Readonly<Record<number, string>> = {
  401: '登录已过期，请在新窗口登录后再保存；标注仍保留在本页',
  403: '没有权限，或页面打开太久：标注仍保留在本页，请在新窗口登录后再保存',
  404: '检查不存在或权限已收回',
  409: '有标注已被他人修改',
  413: '标注太多，请分次保存',
  422: '有标注的内容不被接受',
  429: '操作太频繁，请稍候再试',
};

export class AnnotationApi {
  /** `token`: the page's CSRF token. */
  constructor(
    private readonly token: string,
    private readonly request: typeof fetch = (...args) => fetch(...args),
  ) {}

  /** What the record holds: not checked yet. Raises `ApiRefusal`, or what `fetch` raises without a network. */
  async read(exam: number): Promise<unknown> {
    return listOf(await this.ask(exam, '', null));
  }

  /** Saves, and answers what the record holds then. Raises as `read` does. */
  async write(exam: number, put: readonly Annotation[], removed: readonly string[]): Promise<unknown> {
    let stored: unknown = [];
    for (const [i, part] of inParts(put).entries()) {
      const body = { annotations: part, removed: i === 0 ? removed : [] };
      stored = listOf(await this.ask(exam, '', body));
    }
    return stored;
  }

  /** A measurement report of these annotations as a DICOM file. Raises as `read` does. */
  async report(exam: number, annotations: readonly Annotation[]): Promise<Blob> {
    return (await this.ask(exam, '/sr', { annotations })).blob();
  }

  private async ask(exam: number, under: string, body: object | null): Promise<Response> {
    const url = `/api/v1/exams/${exam}/annotations${under}`;
    const sent = body && {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': this.token },
      body: JSON.stringify(body),
    };
    const response = await this.request(url, { credentials: 'same-origin', ...sent });
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

async function listOf(response: Response): Promise<unknown> {
  return ((await response.json()) as { annotations?: unknown } | null)?.annotations ?? [];
}

async function refusal(response: Response): Promise<ApiRefusal> {
  const told = (await response.json().catch(() => null)) as { detail?: unknown } | null;
  const detail = typeof told?.detail === 'string' ? told.detail : '';
  const subject = /annotation ([0-9A-Za-z._-]{1,64})/.exec(detail)?.[1] ?? null;
  const words = WORDS[response.status] ?? '服务暂时不可用，标注仍保留在本页，请稍后重试';
  return new ApiRefusal(response.status, words, subject);
}

/** At least one part, so that removals alone are sent too. */
function inParts(annotations: readonly Annotation[]): readonly (readonly Annotation[])[] {
  const parts: Annotation[][] = [[]];
  let bytes = 0;
  for (const annotation of annotations) {
    const more = new TextEncoder().encode(JSON.stringify(annotation)).length;
    if (bytes + more > MOST_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts[parts.length - 1].push(annotation);
    bytes += more;
  }
  return parts;
}
