'use strict';
const $ = id => document.getElementById(id);
const percent = (value, digits = 2) => (100 * value).toFixed(digits) + ' %';
const count = value => value.toLocaleString('en');
const bytes = value => value < 1048576 ? (value / 1024).toFixed(0) + ' KiB' : (value / 1048576).toFixed(2) + ' MiB';
const style = getComputedStyle(document.documentElement);
const colour = (name, alpha = 1) => `rgba(${style.getPropertyValue(name)}, ${alpha})`;

function table(head, rows) {
  const element = document.createElement('table');
  const add = (parent, tag, text) => { const cell = parent.appendChild(document.createElement(tag)); cell.textContent = text; return cell; };
  const headRow = element.createTHead().insertRow();
  head.forEach(text => add(headRow, 'th', text));
  const body = element.createTBody();
  rows.forEach(row => { const line = body.insertRow(); row.forEach(text => add(line, 'td', text)); });
  return element;
}

Chart.defaults.color = style.getPropertyValue('--soft');
Chart.defaults.borderColor = style.getPropertyValue('--line');
Chart.defaults.font.family = 'system-ui, sans-serif';
