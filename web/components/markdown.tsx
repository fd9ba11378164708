import { lexer, type Token, type Tokens } from 'marked';
import { createElement, type ComponentChildren, type VNode } from 'preact';
import { useMemo } from 'preact/hooks';

/**
 * Shows Markdown as elements of the page. The text is never read as HTML: tags in it are shown as they were typed, only
 * links to web pages can be followed, and pictures are shown as their words.
 */
export function Markdown({ text, firstLevel = 1 }: { readonly text: string; readonly firstLevel?: number }): VNode {
  const tokens = useMemo(() => lexer(text), [text]);
  return <div class="markdown">{blocks(tokens, firstLevel - 1)}</div>;
}

/** @param deeper levels by which headings go below those of the text */
const blocks = (tokens: readonly Token[], deeper: number): ComponentChildren =>
  tokens.map((token, index) => <Block key={index} token={token} deeper={deeper} />);

function Block({ token, deeper }: { readonly token: Token; readonly deeper: number }): VNode | null {
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'heading':
      return createElement(`h${Math.min(6, (token as Tokens.Heading).depth + deeper)}`, {}, inlines(token.tokens));
    case 'paragraph':
      return <p>{inlines(token.tokens)}</p>;
    case 'blockquote':
      return <blockquote>{blocks(token.tokens ?? [], deeper)}</blockquote>;
    case 'list': {
      const { ordered, items } = token as Tokens.List;
      const rows = items.map((item, index) => <li key={index}>{blocks(item.tokens, deeper)}</li>);
      return ordered ? <ol>{rows}</ol> : <ul>{rows}</ul>;
    }
    case 'code':
      return (
        <pre tabIndex={0}>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case 'hr':
      return <hr />;
    case 'table':
      return <MarkdownTable table={token as Tokens.Table} />;
    case 'text':
      return <>{token.tokens ? inlines(token.tokens) : (token as Tokens.Text).text}</>;
    default:
      return <p>{token.raw}</p>;
  }
}

function MarkdownTable({ table }: { readonly table: Tokens.Table }): VNode {
  return (
    <div class="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {table.header.map((cell, index) =>
              cell.text === '' ? (
                <td key={index} />
              ) : (
                <th key={index} scope="col">
                  {inlines(cell.tokens)}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{inlines(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const inlines = (tokens: readonly Token[] = []): ComponentChildren =>
  tokens.map((token, index) => <Inline key={index} token={token} />);

function Inline({ token }: { readonly token: Token }): VNode {
  switch (token.type) {
    case 'strong':
      return <strong>{inlines(token.tokens)}</strong>;
    case 'em':
      return <em>{inlines(token.tokens)}</em>;
    case 'del':
      return <del>{inlines(token.tokens)}</del>;
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>;
    case 'br':
      return <br />;
    case 'link': {
      const { href } = token as Tokens.Link;
      const isWeb = /^https?:\/\//i.test(href);
      return isWeb ? (
        <a href={href} target="_blank" rel="noreferrer noopener">
          {inlines(token.tokens)}
        </a>
      ) : (
        <>{inlines(token.tokens)}</>
      );
    }
    case 'text':
    case 'escape': {
      const { tokens, text } = token as Tokens.Text;
      return <>{tokens ? inlines(tokens) : text}</>;
    }
    case 'image':
      return <>{(token as Tokens.Image).text}</>;
    default:
      return <>{token.raw}</>;
  }
}
