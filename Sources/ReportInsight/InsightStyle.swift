/// The look of the page: light, dark and print, without a font or an image from elsewhere.
enum InsightStyle {
    static let sheet: StaticString = """
        <style>
        :root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;
        --box:#f6f8fa;--pass:#1a7f37;--fail:#b3261e;--some:#8a5a00;--link:#0550ae}
        @media(prefers-color-scheme:dark){:root{--page:#0d1117;--text:#e6edf3;--soft:#a5afba;
        --line:#3d444d;--box:#161b22;--pass:#3fb950;--fail:#ff7b72;--some:#e3b341;--link:#79b8ff}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:1rem;max-width:70rem;background:var(--page);color:var(--text);
        font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
        h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.3rem;margin:2.5rem 0 .5rem;
        border-top:1px solid var(--line);padding-top:1rem}h3{font-size:1.05rem;margin:1.5rem 0 .5rem}
        a{color:var(--link)}p{margin:.5rem 0}.soft{color:var(--soft)}
        .pass{color:var(--pass)}.fail{color:var(--fail)}.some{color:var(--some)}
        .wide{overflow-x:auto}.wide:focus-visible,summary:focus-visible,a:focus-visible{
        outline:2px solid var(--link);outline-offset:2px}
        table{border-collapse:collapse;width:100%;font-size:.9rem}caption{text-align:left;
        color:var(--soft);padding:.25rem 0}
        th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;
        vertical-align:top}th{background:var(--box);white-space:nowrap}
        tbody th{background:none;font-weight:600;min-width:9rem;white-space:normal}
        td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        details{margin:.5rem 0}summary{cursor:pointer;padding:.25rem 0}
        .chart{width:100%;height:auto;max-height:16rem}.chart text{fill:var(--soft);font-size:12px}
        .chart .grid{stroke:var(--line)}.chart .pass{fill:var(--pass)}.chart .fail{fill:var(--fail)}
        .key{display:inline-block;width:.8em;height:.8em;margin-right:.3em;vertical-align:baseline}
        .key.pass{background:var(--pass)}.key.fail{background:var(--fail)}
        @media(max-width:40rem){.more{display:none}.chart text{font-size:21px}body{padding:.75rem}th,td{padding:.3rem .4rem}}
        @media print{body{max-width:none;font-size:11px}.wide{overflow:visible}
        h2{break-after:avoid}tr{break-inside:avoid}.more{display:table-cell}}
        </style>

        """
}
