-- The least rights of the database user of placeholders, for a user catalog in
-- a database shop of Magento 2, without table prefix. They are for the tables of
-- schema.sql; a shop that has more stores, stocks or index tables needs those,
-- too: opening the shop says which. The first statement shows the names of the
-- tables, and nothing of what is in them. CREATE on the database is needed once,
-- for the ledger's two tables.
GRANT SHOW VIEW ON `shop`.* TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`catalog_placeholder` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE ON `shop`.`catalog_placeholder_lock` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`catalog_product_entity` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`catalog_product_entity_int` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`catalog_product_entity_decimal` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`catalog_product_entity_varchar` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`catalog_product_entity_datetime` TO 'catalog'@'%';
GRANT SELECT, INSERT, DELETE ON `shop`.`catalog_product_website` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE ON `shop`.`cataloginventory_stock_item` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`catalog_product_entity_tier_price` TO 'catalog'@'%';
GRANT SELECT, INSERT, DELETE ON `shop`.`catalog_category_product` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, SELECT, DELETE ON `shop`.`cataloginventory_stock_status` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, SELECT, DELETE ON `shop`.`inventory_source_item` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, SELECT, DELETE ON `shop`.`inventory_stock_2` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`cataloginventory_stock_status_replica` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`catalog_product_index_price` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`catalog_product_index_price_ws1` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`catalog_category_product_index_store1` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`catalogrule_product` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`catalogrule_product_price` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`url_rewrite` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`inventory_low_stock_notification_configuration` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`report_event` TO 'catalog'@'%';
GRANT SELECT, UPDATE ON `shop`.`quote` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`quote_item` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`sales_order` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`sales_order_item` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`store_website` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`store` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`store_group` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`eav_attribute` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`eav_entity_type` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`eav_entity_attribute` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`eav_attribute_option` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`eav_attribute_option_value` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`core_config_data` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`tax_class` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`customer_group` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`salesrule` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`salesrule_product_attribute` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`catalog_category_entity` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`catalog_category_entity_varchar` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`wishlist_item` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`review` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`review_entity` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`inventory_stock_sales_channel` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`inventory_source` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`inventory_source_stock_link` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`inventory_reservation` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`report_event_types` TO 'catalog'@'%';
